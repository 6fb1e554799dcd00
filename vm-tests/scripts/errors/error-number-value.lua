-- expect: false	error-number-value.lua:3: 5
-- expect: number
print(pcall(function() error(5) end))
print(type(select(2, pcall(error, 5, 0))))
