-- expect: false	assign-to-field-of-nil.lua:3: attempt to index a nil value
local function none() end
print(pcall(function() none().x = 1 end))
