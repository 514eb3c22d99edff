using System.Globalization;
using System.Text;

namespace Herd.Gateway.Requests;

/// <summary>The path from the root of a JSON text to a value, such as messages[2].content.</summary>
internal sealed class JsonPath
{
    private const int MaxName = 64;

    private readonly List<(string? Name, int Index)> _steps = [];

    public void Enter(string name) => _steps.Add((name, 0));

    public void Enter(int index) => _steps.Add((null, index));

    public void Leave() => _steps.RemoveAt(_steps.Count - 1);

    /// <summary>The path as text; null at the root. Long names are cut.</summary>
    public string? Text
    {
        get
        {
            var text = new StringBuilder();
            foreach (var (name, index) in _steps)
            {
                if (name is null)
                {
                    text.Append(CultureInfo.InvariantCulture, $"[{index}]");
                }
                else
                {
                    text.Append(text.Length > 0 ? "." : "").Append(name.Length > MaxName ? name[..MaxName] : name);
                }
            }

            return text.Length > 0 ? text.ToString() : null;
        }
    }
}
