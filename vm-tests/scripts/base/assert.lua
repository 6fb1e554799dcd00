-- expect: 1	2	3
-- expect: false	assertion failed!
-- expect: false	message
-- expect: false	5
-- expect: false	bad argument #1 to 'assert' (value expected)
-- expect: 2
print(assert(1, 2, 3))
print(pcall(assert, false))
print(pcall(assert, nil, "message"))
print(pcall(assert, false, 5))
print(pcall(assert))
print(select("#", assert(true, nil)))
