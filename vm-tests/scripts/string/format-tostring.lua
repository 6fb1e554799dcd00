-- expect: nil true T
-- reference: no 5.1 takes only strings and numbers for the directive s; newer versions call tostring
print(string.format("%s %s %s", nil, true, setmetatable({}, { __tostring = function() return "T" end })))
