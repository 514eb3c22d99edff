namespace Herd.Inference.Grammars;

/// <summary>Divides the 256 bytes into classes that no byte set of a grammar tells apart.</summary>
internal static class ByteClasses
{
    /// <returns>The class of each byte, and a member of each class.</returns>
    public static (byte[] Classes, byte[] Members) Find(IEnumerable<ByteSet> sets)
    {
        var classes = new int[256];
        var count = 1;
        foreach (var set in sets)
        {
            // Each class divides into the bytes inside and outside of the set.
            var divided = new Dictionary<(int, bool), int>();
            for (var value = 0; value < 256; value++)
            {
                var key = (classes[value], set.Contains((byte)value));
                divided.TryAdd(key, divided.Count);
                classes[value] = divided[key];
            }

            count = divided.Count;
        }

        var members = new byte[count];
        for (var value = 255; value >= 0; value--)
        {
            members[classes[value]] = (byte)value;
        }

        return ([.. classes.Select(value => (byte)value)], members);
    }
}
