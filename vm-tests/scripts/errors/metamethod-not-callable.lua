-- What can't be indexed or called in the place of a metamethod.
-- expect: metamethod-not-callable.lua:13: attempt to index a number value
-- expect: metamethod-not-callable.lua:14: attempt to index a boolean value
-- expect: metamethod-not-callable.lua:15: attempt to index a number value
-- expect: metamethod-not-callable.lua:18: attempt to call a table value
-- expect: metamethod-not-callable.lua:22: attempt to call a table value
-- expect: metamethod-not-callable.lua:24: attempt to call a number value
-- expect: true	#2
local function show(f)
  local ok, message = pcall(f)
  print((message:gsub(" %(.*", ""):gsub("local '.*", "a table value")))
end
show(function() return setmetatable({}, { __index = 5 }).x end)
show(function() return setmetatable({}, { __index = true }).x end)
show(function() setmetatable({}, { __newindex = 5 }).x = 1 end)
show(function()
  local x = setmetatable({}, { __call = {} })
  x()
end)
show(function()
  local x = setmetatable({}, { __call = {} })
  return x()
end)
show(function() return setmetatable({}, { __add = 5 }) + 1 end)
print(pcall(table.concat, 1, print) == false, select(2, pcall(table.concat, 1, {})):match("#%d"))
