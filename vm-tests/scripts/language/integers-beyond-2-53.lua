-- expect: false
-- reference: no integers of 64 bits are exact
print(9007199254740992 + 1 == 9007199254740992)
