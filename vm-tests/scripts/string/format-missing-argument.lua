-- expect: false	bad argument #2 to '?' (no value)
-- expect: false	bad argument #2 to '?' (no value)
print(pcall(string.format, "%d"))
print(pcall(string.format, "%s"))
