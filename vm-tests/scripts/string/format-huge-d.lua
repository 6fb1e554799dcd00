-- expect: 9007199254740992	1000000000000000
print(string.format("%d", 2 ^ 53), string.format("%d", 1e15))
