-- Many small tables that live for a while: the collector's work.
local function tree(depth)
    if depth == 0 then return {} end
    return { left = tree(depth - 1), right = tree(depth - 1) }
end

local function count(node)
    if not node.left then return 1 end
    return 1 + count(node.left) + count(node.right)
end

function handle()
    local total, kept = 0, tree(10)
    for _ = 1, 12 do total = total + count(tree(10)) end
    return total + count(kept)
end
