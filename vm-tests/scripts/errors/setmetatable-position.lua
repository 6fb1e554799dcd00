-- expect: false	setmetatable-position.lua:2: bad argument #1 to 'setmetatable' (table expected, got number)
print(pcall(function() setmetatable(1, {}) end))
