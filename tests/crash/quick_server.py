"""A server process that answers 504 ``outcome_unknown`` after a second: what takes 20 s in use is tried in a round."""

import sys

import api.exchange
from api.server import main

RESPONSE_SECONDS = 1.0

if __name__ == "__main__":
    api.exchange.RESPONSE_SECONDS = RESPONSE_SECONDS
    sys.exit(main())
