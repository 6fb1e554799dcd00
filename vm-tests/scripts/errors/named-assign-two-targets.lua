-- expect: named-assign-two-targets.lua:7: attempt to index a nil value (field 'inner')
-- expect: named-assign-two-targets.lua:8: attempt to index a nil value (global 'missing')
-- expect: named-assign-two-targets.lua:9: attempt to index a nil value (upvalue 'above')
-- expect: named-assign-two-targets.lua:10: attempt to index a nil value (local 'own')
local above
local cases = {
    function() local t = {} t.inner.a, t.b = 1, 2 end,
    function() local t = {} missing.a, t.b = 1, 2 end,
    function() local t = {} above.a, t.b = 1, 2 end,
    function() local own, t = nil, {} own.a, own = 1, 2 end,
}
for _, case in ipairs(cases) do print(select(2, pcall(case))) end
