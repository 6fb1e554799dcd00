-- expect: false	H: attempt to call a nil value
print(xpcall(nil, function(m) return "H: " .. m end))
