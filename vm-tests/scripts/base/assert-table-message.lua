-- expect: false	bad argument #2 to '?' (string expected, got table)
print(pcall(assert, false, {}))
