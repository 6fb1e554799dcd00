-- expect: false
-- expect: false
print((xpcall(function() error("e") end, function(m) error("again") end)))
print((xpcall(error, nil)))
