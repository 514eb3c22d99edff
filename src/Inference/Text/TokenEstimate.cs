namespace Herd.Inference.Text;

/// <summary>The tokens of a text before it is tokenised.</summary>
public static class TokenEstimate
{
    /// <summary>The assumed characters of a token: about right for English and for code.</summary>
    public const int CharactersPerToken = 4;
}
