using System.Text;

namespace Herd.Grains.Routing.Policies;

/// <summary>
/// The same node for a conversation while that node is possible. When a node leaves, only its conversations move
/// (rendezvous hashing: Thaler and Ravishankar, 1998).
/// </summary>
internal sealed class StickyHash : IRoutingPolicy
{
    private const ulong Prime = 0x100000001b3;
    private const ulong Basis = 0xcbf29ce484222325;

    public string Name => "sticky-hash";

    public int Choose(RoutingTable table, RouteRequest request, double now)
    {
        var conversation = Hash(request.Conversation);
        var best = (Index: -1, Weight: 0UL);
        for (var index = 0; index < table.Count; index++)
        {
            if (table.IsPossible(index, request)
                && Mix(conversation ^ table[index].Hash) is var weight
                && (best.Index < 0 || weight > best.Weight))
            {
                best = (index, weight);
            }
        }

        return best.Index;
    }

    /// <summary>The FNV-1a hash. It is the same in every process.</summary>
    public static ulong Hash(string text)
    {
        var hash = Basis;
        foreach (var part in Encoding.UTF8.GetBytes(text))
        {
            hash = (hash ^ part) * Prime;
        }

        return hash;
    }

    /// <summary>The finaliser of SplitMix64.</summary>
    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
        value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
        return value ^ (value >> 31);
    }
}
