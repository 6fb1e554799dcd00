-- expect: false	named-arithmetic-on-global.lua:2: attempt to perform arithmetic on a nil value (global 'nosuch')
print(pcall(function() return nosuch - 1 end))
