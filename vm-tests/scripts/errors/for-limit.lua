-- expect: false	for-limit.lua:2: 'for' limit must be a number
print(pcall(function() for i = 1, {} do end end))
