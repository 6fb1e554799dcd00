-- expect: false	'tostring' must return a string to 'print'
print(pcall(print, setmetatable({}, { __tostring = function() return {} end })))
