-- expect: false	named-arithmetic-on-global.lua:2: attempt to perform arithmetic on global 'nosuch' (a nil value)
print(pcall(function() return nosuch - 1 end))
