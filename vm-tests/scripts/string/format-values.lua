-- expect: false	bad argument #2 to 'format' (string expected, got nil)
-- expect: false	bad argument #2 to 'format' (string expected, got boolean)
-- expect: false
-- expect: false
print(pcall(string.format, "%s", nil))
print(pcall(string.format, "%s", true))
print((pcall(string.format, "%s", {})))
print((pcall(string.format, "%s", setmetatable({}, { __tostring = function() return "T" end }))))
