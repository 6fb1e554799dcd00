-- expect: 55	3	xx
-- expect: true
print((5 .. ""):rep(2), ("%d"):format(3), ("x").rep("x", 2))
print(pcall(function() local n = 5 return n:rep(2) end) == false)
