-- expect: false
-- reference: no integer division is extra
local z = 0
print((pcall(function() return 1 // z end)))
