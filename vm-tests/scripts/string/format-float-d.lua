-- expect: 3	-3	f
print(string.format("%d", 3.7), string.format("%d", -3.7), string.format("%x", 15.9))
