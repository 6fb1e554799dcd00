-- expect: false	bad argument #2 to 'assert' (string expected, got table)
print(pcall(assert, false, {}))
