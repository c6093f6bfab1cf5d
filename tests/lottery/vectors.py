"""The worked example of the published description, copied from it figure by figure. Facts, never recomputed."""

ENTRIES_CSV = (
    b"A0000001,440103,1\nA0000002,440103,2\nA0000003,440104,1\nA0000004,440104,3\n"
    b"A0000005,440105,1\nA0000006,440105,1\nA0000007,440103,1\nA0000008,440104,1\n"
)
ENTRIES_SHA256 = "61d1f1b5597e2e454a86e0f1f72275a2c933fc68d24005d30bb835bf1d3d0967"
ENTRIES_ROOT = "756a5292300a7b8bd959f362970ca7bd6caf36b78a83c888cf69a7de1b304dae"

TRANSCRIPT = b"""lottery-seed/1
draw=demo-2026-01
round=1
commit=16d2a3817dc44092c75e28f755e083c7df18aca61ea2821278eeff1483df3437
source.01.drand=52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971:1000:fe290beca10872ef2fb164d2aa4442de4566183ec51c56ff3cd603d930e54fdd
source.02.ssq=2025001:02,05,08,10,12,33+07
source.03.office=62c15ccc9887b5c446f7439d7de24503e67e6890b1f86dd5eb5f2eae39ca63ea
source.04.notary=31,07,22,18
"""
SEED = "67c7bc455c4e625478a9bf2e9f8832f6e036c9d7d1f9801db0ce276d271e9da4"

RANKING = [
    ("A0000008", "03f86294"),
    ("A0000001", "15a5c26c04efebc6ee98399dd44fa824bf95d2d8e10de8e79650943a62a006bb"),
    ("A0000006", "26be6eb7"),
    ("A0000002", "4010ebd5"),
    ("A0000007", "59172d2c"),
    ("A0000004", "59fbb5e3"),
    ("A0000003", "8d6c9492"),
    ("A0000005", "bc4f3ebe"),
]

# (total, count, low, high) -> packets in the order given out
SPLITS = [
    ((10_000, 10, 1, 2_000), (1072, 511, 1040, 1424, 1385, 227, 1405, 424, 819, 1693)),
    ((60, 6, 3, 25), (13, 9, 5, 12, 6, 15)),
]

RFC9162_LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
RFC9162_ROOT = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"

# round: (signature, randomness)
QUICKNET_ROUNDS = {
    42: (
        "95a9f9f5b231b7714de1553105d8ffdf3dcda24cfdb1e689319bccf79a9c8ce430a91b811fbfaf763900bc998b5d686a",
        "8ada64bae5c6c0f5540a6a13af56e663240edfbd2c76ac6a8f27671eb7259ce3",
    ),
    1000: (
        "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39",
        "fe290beca10872ef2fb164d2aa4442de4566183ec51c56ff3cd603d930e54fdd",
    ),
    1001: (
        "b33bf3667cbd5a82de3a24b4e0e9fe5513cc1a0e840368c6e31f5fcfa79bea03f73896b25883abf2853d10337fb8fa41",
        "b0a591ad1b9002cfc372ac6e30abd3da8d3088d4caae026961743474fb94235f",
    ),
}

RFC3797_KEY = b"9319./2.5.8.10.12./9.18.26.34.41.45./"
RFC3797_POOL = 25
RFC3797_SELECTED = (17, 7, 2, 16, 25, 23, 8, 24, 19, 13)
