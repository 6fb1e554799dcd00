-- expect: false	named-call-string-method.lua:2: attempt to call method 'nosuch' (a nil value)
print(pcall(function() return ("x"):nosuch() end))
