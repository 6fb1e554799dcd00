-- Tables by name, and walking over them: the shape of most real scripts.
function handle()
    local stock, total = {}, 0
    for i = 1, 300 do stock['item ' .. i] = { price = i * 3, count = i, sold = 0 } end
    for round = 1, 60 do
        for name, item in pairs(stock) do
            if item.count > round then
                item.sold = item.sold + 1
                total = total + item.price
            end
        end
        for i, step in ipairs({ 1, 2, 3, 4, 5 }) do total = total + i * step end
    end
    return total
end
