-- expect: false	named-call-string-method.lua:2: attempt to call a nil value (method 'nosuch')
print(pcall(function() return ("x"):nosuch() end))
