-- expect: false	line-in-loops.lua:16: attempt to index a nil value (local 'row')
-- expect: false	line-in-loops.lua:16: attempt to index a nil value (local 'row')
-- expect: false	line-in-loops.lua:21: attempt to index a nil value (field 'none')
-- expect: false	line-in-loops.lua:18: attempt to perform arithmetic on a table value (local 'b')
-- expect: false	line-in-loops.lua:35: attempt to perform arithmetic on a nil value (local 'v')
-- expect: false	line-in-loops.lua:32: attempt to index a nil value (local 'first')
-- expect: false	line-in-loops.lua:46: attempt to index a nil value (local 'w')
-- expect: false	line-in-loops.lua:45: attempt to index a nil value (local 'v')
-- expect: false	third
-- expect: false	line-in-loops.lua:53: attempt to index a nil value (local 'x')
-- Each line of a loop, in its first and later rounds.
local function rounds(t, n)
  for i = 1, n do
    local a = t.x
    local row = t[i]
    local b = row.y
    if b then
      local c = b + 1
      local d = b .. c
    else
      t.none.none = 1
    end
  end
end
print(pcall(rounds, {}, 1))
print(pcall(rounds, {{y = 1}, {y = 2}}, 3))
print(pcall(rounds, {{y = 1}, {}}, 3))
print(pcall(rounds, {{y = 1}, {y = {}}}, 3))
local function while_loop(list)
  local i = 1
  local first = list[1]
  while first.go do
    local v = first.value
    first = list[i + 1]
    i = i + v
  end
end
print(pcall(while_loop, {{go = true, value = 1}, {go = true}}))
print(pcall(while_loop, {{go = true, value = 1}}))
local function repeat_loop(list)
  local i = 0
  repeat
    i = i + 1
    local v = list[i]
    local w = v.w
  until w.stop
end
print(pcall(repeat_loop, {{w = {}}, {}}))
print(pcall(repeat_loop, {{w = {}}}))
local function iterate(step)
  for k in step do
    local x = k.y
    x.z = 1
  end
end
local n = 0
print(pcall(iterate, function() n = n + 1 if n == 1 then return {y = {}} end error("third", 0) end))
print(pcall(iterate, function() return {} end))
