-- expect: true
-- reference: no the reference reads past the end of the replacement
local ok, result = pcall(string.gsub, "abc", "a", "%")
print(ok == false or type(result) == "string")
