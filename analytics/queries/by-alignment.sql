-- Whether the good or the evil are looked at more, the lawful or the chaotic: by heart and manners.
-- Columns: goodevil, lawchaos, clicks, users
-- Parameters: datehour, since
WITH click AS (
    -- A click that was delivered more than once is one click.
    SELECT
        coalesce(clickid, userid || '|' || mysfitid || '|' || clickedat) AS id,
        min(goodevil) AS goodevil,
        min(lawchaos) AS lawchaos,
        min(userid) AS userid
    FROM clicks
    WHERE datehour >= ? AND clickedat >= ?
    GROUP BY 1
)
SELECT
    goodevil,
    lawchaos,
    count(*) AS clicks,
    count(DISTINCT userid) AS users
FROM click
GROUP BY goodevil, lawchaos
ORDER BY clicks DESC, goodevil, lawchaos
