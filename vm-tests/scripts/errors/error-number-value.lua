-- expect: false	error-number-value.lua:2: 5
print(pcall(function() error(5) end))
