-- expect: ababab			x	1000
-- expect: xx	xxx
-- expect: false	bad argument #1 to 'rep' (string expected, got no value)
-- expect: false	bad argument #2 to 'rep' (number expected, got no value)
-- expect: false	bad argument #2 to 'rep' (number expected, got string)
print(("ab"):rep(3), ("x"):rep(0), ("x"):rep(-1), ("x"):rep(1), #("x"):rep(1000))
print(("x"):rep(2.9), ("x"):rep("3"))
print(pcall(string.rep))
print(pcall(string.rep, "x"))
print(pcall(string.rep, "x", "y"))
