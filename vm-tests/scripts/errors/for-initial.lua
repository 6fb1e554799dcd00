-- expect: false	for-initial.lua:2: 'for' initial value must be a number
print(pcall(function() for i = "a", 2 do end end))
