-- expect: first
-- expect: second	12
-- expect: a]]b]=]c
-- expect: a\n	1
-- expect: 0
-- expect: after
-- expect: after 2
-- expect: line comment
local s = [[
first
second]]
print(s, #s)
print([==[a]]b]=]c]==])
print([[a\n]], #[[

]])
print(#[[
]])
--[[ comment
spanning ]] print("after")
--[==[ x ]] y ]==] print("after 2")
---[[ not a block comment
print("line comment")
--]]
