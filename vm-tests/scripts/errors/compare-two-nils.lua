-- expect: false	compare-two-nils.lua:3: attempt to compare two nil values
local x, y
print(pcall(function() if x <= y then return 1 end end))
