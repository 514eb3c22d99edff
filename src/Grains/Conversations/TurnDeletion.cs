using Herd.Contracts.Conversations;

namespace Herd.Grains.Conversations;

/// <summary>What is left of turns when one is deleted.</summary>
internal static class TurnDeletion
{
    /// <returns>The turns to keep: those deleted at the end are gone, those before others are kept for these; none when all are deleted.</returns>
    public static IReadOnlyList<Turn> Remove(IReadOnlyList<Turn> turns, string turn)
    {
        var left = turns.Select(known => known.Id == turn ? known with { IsDeleted = true } : known).ToList();
        while (left is [.., { IsDeleted: true }])
        {
            left.RemoveAt(left.Count - 1);
        }

        return left;
    }
}
