-- expect: false	1
print(xpcall(function() error("e", 0) end, function(m) return 1, 2, 3 end))
