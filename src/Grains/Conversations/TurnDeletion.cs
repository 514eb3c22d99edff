using Herd.Contracts.Conversations;

namespace Herd.Grains.Conversations;

/// <summary>Deletes a turn from a list of turns.</summary>
internal static class TurnDeletion
{
    /// <returns>
    /// The turns to keep. Deleted turns at the end are removed; a deleted turn before others is kept and marked,
    /// because the later ones follow it. Empty if all are deleted.
    /// </returns>
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
