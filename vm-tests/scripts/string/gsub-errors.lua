-- expect: true	xaxbxcx	4
-- expect: false	invalid capture index
-- expect: false	bad argument #4 to 'gsub' (number expected, got string)
-- expect: false	bad argument #3 to 'gsub' (string/function/table expected)
-- expect: false	bad argument #3 to 'gsub' (string/function/table expected)
-- expect: false	invalid replacement value (a table)
-- expect: false	invalid replacement value (a table)
-- expect: false	gsub-errors.lua:16: inside
print(pcall(string.gsub, "abc", "(", "x"))
print(pcall(string.gsub, "abc", "a", "%2"))
print(pcall(string.gsub, "abc", "a", {}, "x"))
print(pcall(string.gsub, "abc", "a"))
print(pcall(string.gsub, "abc", "a", true))
print(pcall(string.gsub, "abc", "a", function() return {} end))
print(pcall(string.gsub, "abc", "a", { a = {} }))
print(pcall(string.gsub, "abc", "a", function() error("inside") end))
