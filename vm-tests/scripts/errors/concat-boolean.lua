-- expect: false	concat-boolean.lua:2: attempt to concatenate a boolean value
print(pcall(function() local s = "x" .. true return s end))
