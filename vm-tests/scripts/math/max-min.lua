-- expect: 1	3	1	-1	1.5
-- expect: false	bad argument #1 to 'max' (number expected, got no value)
-- expect: false	bad argument #1 to 'min' (number expected, got no value)
-- expect: false	bad argument #2 to 'max' (number expected, got string)
-- expect: 10
print(math.max(1), math.max(1, 3, 2), math.min(1, 3, 2), math.max(-1, -2), math.max(1.5, 1))
print(pcall(math.max))
print(pcall(math.min))
print(pcall(math.max, 1, "x"))
print(math.max("10", 9))
