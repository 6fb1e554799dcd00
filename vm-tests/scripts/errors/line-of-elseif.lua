-- expect: false	line-of-elseif.lua:11: attempt to index a nil value (local 'second')
-- expect: false	line-of-elseif.lua:13: attempt to compare nil with number
-- expect: false	line-of-elseif.lua:15: bad argument #1 to 'rep' (string expected, got nil)
-- expect: true	else
-- expect: true	nested	3
-- Each condition of a chain fails at its own line.
local function choose(t)
  local step, second = t.step
  if step == 1 then
    return t.first.x
  elseif step == 2 and second.x then
    return 2
  elseif step == 3 and t.third < 3 then
    return 3
  elseif step == 4 and string.rep(t.fourth, 2) then
    return 4
  elseif step == 5 then
    if t.a then return "a" elseif t.b then return "b" elseif t.c then return "nested", 3 else return "d" end
  else
    return "else"
  end
end
print(pcall(choose, {step = 2}))
print(pcall(choose, {step = 3}))
print(pcall(choose, {step = 4}))
print(pcall(choose, {step = 6}))
print(pcall(choose, {step = 5, c = 1}))
