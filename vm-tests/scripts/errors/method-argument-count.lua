-- expect: false	method-argument-count.lua:2: bad argument #1 to 'rep' (number expected, got no value)
print(pcall(function() return ("x"):rep() end))
