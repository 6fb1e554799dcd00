-- expect: 1
-- expect: 2
-- expect: 3
-- expect: 4
-- a comment
print(1) -- after
--
--[[]]print(2)
--[[
print("no")
]]
print(3) --[==[
]==] print(4)
return--[[x]]
