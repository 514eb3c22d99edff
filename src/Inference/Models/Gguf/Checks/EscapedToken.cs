using System.Text;

namespace Herd.Inference.Models.Gguf.Checks;

/// <summary>A token of an RWKV vocabulary, in which bytes are written as escapes.</summary>
internal static class EscapedToken
{
    private const int HexDigits = 2;

    /// <returns>The token, a character a byte, as llama.cpp reads it.</returns>
    public static string Read(string escaped)
    {
        var text = new StringBuilder(escaped.Length);
        for (var i = 0; i < escaped.Length; i++)
        {
            if (escaped[i] != '\\')
            {
                text.Append(escaped[i]);
            }
            else if (++i < escaped.Length)
            {
                if (escaped[i] != 'x')
                {
                    text.Append(escaped[i] switch { 't' => '\t', 'n' => '\n', 'r' => '\r', var other => other });
                }
                else if (i + HexDigits < escaped.Length)
                {
                    text.Append((char)(byte)((Digit(escaped[i + 1]) << 4) + Digit(escaped[i + 2])));
                    i += HexDigits;
                }
                else
                {
                    break;
                }
            }
        }

        return text.ToString();
    }

    /// <summary>llama.cpp takes every character that is no digit for a letter.</summary>
    private static int Digit(char c) => (sbyte)c >= 'a' ? c - 'a' + 10 : (sbyte)c - '0';
}
