-- expect: 3	pos
-- expect: string	true
local ok, e = pcall(function() error("pos") end)
print(e:match(":(%d+): (.*)$"))
local ok, e = pcall(function() local x = nil; return x.y end)
print(type(e), e:find("attempt to index") ~= nil)
