-- expect: false	malformed pattern (missing ']')
-- expect: false	malformed pattern (missing ']')
-- expect: false	malformed pattern (ends with '%')
-- expect: false	unfinished capture
-- expect: true	nil
-- expect: false	unbalanced pattern
-- expect: false	missing '[' after '%f' in pattern
-- expect: false	invalid capture index
-- expect: false	malformed pattern (missing ']')
-- expect: false	unfinished capture
print(pcall(string.find, "a", "["))
print(pcall(string.find, "a", "[a"))
print(pcall(string.find, "a", "%"))
print(pcall(string.find, "a", "(a"))
print(pcall(string.find, "a", "a)"))
print(pcall(string.find, "a", "%b"))
print(pcall(string.find, "a", "%f"))
print(pcall(string.find, "a", "%1"))
print(pcall(string.find, "a", "[%"))
print(pcall(string.find, "a", "(()"))
