namespace Herd.Inference.Runtime;

/// <summary>The tokens of one step, of one or more sequences. The batch is reused for each step.</summary>
public sealed class TokenBatch(int capacity)
{
    private readonly int[] _tokens = new int[capacity];
    private readonly int[] _positions = new int[capacity];
    private readonly int[] _sequences = new int[capacity];
    private readonly bool[] _outputs = new bool[capacity];

    public int Count { get; private set; }

    public int Free => _tokens.Length - Count;

    public ReadOnlySpan<int> Tokens => _tokens.AsSpan(0, Count);

    public ReadOnlySpan<int> Positions => _positions.AsSpan(0, Count);

    public ReadOnlySpan<int> Sequences => _sequences.AsSpan(0, Count);

    /// <summary>Tells for each token if the step computes logits after it.</summary>
    public ReadOnlySpan<bool> Outputs => _outputs.AsSpan(0, Count);

    public void Clear() => Count = 0;

    /// <summary>Adds one token.</summary>
    /// <returns>The batch index of the token.</returns>
    public int Add(int token, int position, int sequence, bool output)
    {
        _tokens[Count] = token;
        _positions[Count] = position;
        _sequences[Count] = sequence;
        _outputs[Count] = output;
        return Count++;
    }
}
