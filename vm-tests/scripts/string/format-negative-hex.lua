-- expect: ffffffffffffffff
print(string.format("%x", -1))
